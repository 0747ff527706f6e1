"""What does Control-M receive for one environment: connection profiles and folders, as its Automation API reads them?"""
