"""What runs behind RunContext: engines, models, tools. No database, no HTTP of ours."""
