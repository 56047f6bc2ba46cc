{% macro snapshot_grown_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
    {% set key = config.get('unique_key') %}
    {% do return({
        "unique_key": key,
        "updated_at": config.get('updated_at'),
        "row_changed": "(" ~ snapshotted_rel ~ ".size is distinct from " ~ current_rel ~ ".size)",
        "scd_id": snapshot_hash_arguments([key, config.get('updated_at')]),
        "hard_deletes": "ignore"
    }) %}
{% endmacro %}
