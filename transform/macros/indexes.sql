{#
  Gives large tables of reports a BRIN index of a few kilobytes, by which PostgreSQL finds the rows of
  the last loads without reading the table. It does nothing on small tables, on tables of another
  owner, and while a load keeps the table locked: then the next build does it.
#}
{% macro index_loads(names) %}
  {%- if execute and target.type == 'postgres' and var('pinterest_index_megabytes', 100) is not none -%}
    {%- for name in names -%}
      {%- for schema, relation in tap_pinterest.tables_called(name) if tap_pinterest.needs_index(relation) -%}
        {%- do log('An index on ' ~ relation ~ ' finds the rows of a load', info=true) -%}
do $index$
begin
  set local lock_timeout = '5s';
  create index if not exists "{{ relation.identifier[:56] }}_loaded" on {{ relation }} using brin (_sdc_batched_at);
exception when lock_not_available then
  null;
end
$index$;
      {% endfor -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}


{# Whether a table is large, says when rows were loaded, is ours to change, and has no such index. #}
{% macro needs_index(relation) %}
  {% set found = run_query(
    "select 1 from pg_class join pg_attribute on attrelid = pg_class.oid and attname = '_sdc_batched_at' "
    ~ "where pg_class.oid = '" ~ relation ~ "'::regclass and relkind = 'r' and pg_has_role(relowner, 'USAGE') "
    ~ "and pg_relation_size(pg_class.oid) >= " ~ var('pinterest_index_megabytes', 100) ~ " * 1048576 "
    ~ "and not exists (select from pg_index where indrelid = pg_class.oid and indkey[0] = attnum)"
  ).rows %}
  {% do return(found | length > 0) %}
{% endmacro %}
