"""What is done to pixels, boxes and points, for each kind of data a function of its own; nothing here asks what it was given."""
