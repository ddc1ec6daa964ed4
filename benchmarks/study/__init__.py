"""Does query mining help? A study on the toy set that grows run by run; see docs/study.md. Start: plan.py."""
