"""Does Landbridge hold when it is broken on purpose? The parts of the reliability suite, with the counts of CI."""
