"""Does every promise hold? One folder for each kind of promise."""
