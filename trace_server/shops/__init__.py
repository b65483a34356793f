"""Online sellers (网络经营者): identity marks, listings and sales that platforms report, takedown notices."""
