"""Lists of subjects (名单) and the measures on them: who is on which, from when to when, and what follows."""
