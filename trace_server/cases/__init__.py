"""From a suspicion to a decision: people triage alerts, open cases, decide in twos, and hand decisions to credit."""
