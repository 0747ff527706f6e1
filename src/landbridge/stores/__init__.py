"""Where do files, verdicts and evidence lie? Stores over S3 and folders, and what goes between or around them."""
