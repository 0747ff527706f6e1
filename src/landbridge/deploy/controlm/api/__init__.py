"""How do rendered definitions get into Control-M through its Automation API: compared, applied as shown, tested, looked at?"""
