"""Credit repair (信用修复): who has set things right asks for the end of a record's display, free of charge."""
