"""The names of dbt's Jinja context, by theme. Each module gives `MEMBERS`: name -> builder of the value for one rendering."""
