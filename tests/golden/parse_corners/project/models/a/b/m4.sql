{{ config(snapshot_meta_column_names={'a': 'b'}, event_time='x', database='memory', schema='s', alias='al ias') }} select 1
