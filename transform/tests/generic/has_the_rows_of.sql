{#
  A table that grows has as many rows of each day as what it is made from. Days with rows that were
  loaded after its last build are left to the next one.
#}
{% test has_the_rows_of(model, to) %}
with marks as (

  select source_relation, max(loaded_at) as loaded_at from {{ model }} group by source_relation

),

loaded as (

  select source_relation, date, count(*) as rows_loaded, max(loaded_at) as loaded_at
  from {{ to }}
  group by source_relation, date

),

kept as (

  select source_relation, date, count(*) as rows_kept from {{ model }} group by source_relation, date

)

select
  coalesce(loaded.source_relation, kept.source_relation) as source_relation,
  coalesce(loaded.date, kept.date) as date,
  loaded.rows_loaded,
  kept.rows_kept
from loaded
full outer join kept
  on kept.source_relation = loaded.source_relation
  and kept.date = loaded.date
left join marks
  on marks.source_relation = coalesce(loaded.source_relation, kept.source_relation)
where coalesce(loaded.rows_loaded, 0) <> coalesce(kept.rows_kept, 0)
  and coalesce(loaded.loaded_at <= marks.loaded_at, true)
{% endtest %}
