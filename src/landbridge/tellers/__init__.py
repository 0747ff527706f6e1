"""How does a notice reach people: an SNS topic, a mail, a webhook; and how does an alarm reach CloudWatch?"""
