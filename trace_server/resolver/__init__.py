"""GS1 Digital Link resolver: from any GS1 key to the pages and services that say something about the thing."""
