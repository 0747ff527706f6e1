"""Are the CloudFormation templates what section by section was promised, and would a test notice if not?"""
