"""What people read of a study: sentences, later figures and pages; the command line shows them, too."""
