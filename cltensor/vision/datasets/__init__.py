"""datasets: pictures with their labels, boxes and masks, read from files as they are published."""
