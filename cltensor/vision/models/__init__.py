"""models: networks for classification, segmentation and detection, with the names of their published weights."""
