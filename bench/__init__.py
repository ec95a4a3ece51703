"""What is measured, against what, with one command each. Ratios within one run, never alone."""
