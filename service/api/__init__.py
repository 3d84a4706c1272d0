"""The HTTP edge. A view is: parse, authorise, one call, serialise. No SQL, no rules about missions."""
