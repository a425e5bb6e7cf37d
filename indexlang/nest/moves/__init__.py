"""The steps of a schedule, Nest → Nest; none of them changes a result."""
