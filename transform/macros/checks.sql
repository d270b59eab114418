{# Stops a run whose models would be empty, or would not show what the tables have. #}
{% macro check_tables() %}
  {% if tap_pinterest.is_building() %}
    {% do tap_pinterest.check_variables() %}
    {% set tables = [] %}
    {% for name in tap_pinterest.known_tables() %}{% do tables.extend(tap_pinterest.tables_called(name)) %}{% endfor %}
    {% if not tables %}
      {% do exceptions.raise_compiler_error(
        'No table of tap-pinterest is in ' ~ (tap_pinterest.schemas() | join(', ')) ~ ' of the database '
        ~ var('pinterest_tables_database', target.database)
        ~ '. Load it first, or name its schemas in the variable pinterest_schemas.'
      ) %}
    {% endif %}
    {% if target.type == 'postgres' %}{% do tap_pinterest.check_rights(tables | map('last') | list) %}{% endif %}
    {% for schema, relation in tables if relation.identifier in tap_pinterest.report_tables() %}
      {% do tap_pinterest.check_names(relation) %}
    {% endfor %}
    {% if (var('pinterest_currency', none) is none) != (var('pinterest_fx_rates', none) is none) %}
      {% do exceptions.warn('pinterest_currency and pinterest_fx_rates have an effect only together: no money is converted.') %}
    {% endif %}
    {% do tap_pinterest.check_metrics(tables | map('last') | list) %}
    {% for name in var('pinterest_ad_window_tables', []) %}
      {% for schema, relation in tap_pinterest.tables_called(name) %}{% do tap_pinterest.check_window(relation) %}{% endfor %}
    {% endfor %}
  {% endif %}
{% endmacro %}


{# Whether this run builds models of this project; as a package it is in the runs of another one. #}
{% macro is_building() %}
  {% set ours = [] %}
  {% if execute and flags.WHICH in ('build', 'run', 'snapshot') %}
    {% for name in selected_resources if '.tap_pinterest.' in name %}{% do ours.append(name) %}{% endfor %}
  {% endif %}
  {% do return(ours | length > 0) %}
{% endmacro %}


{# Stops before any model if the user may not read the tables; each model would fail by itself. #}
{% macro check_rights(relations) %}
  {% set schemas = relations | map(attribute='schema') | unique(case_sensitive=true) | list %}
  {% set refused = run_query(
    "select current_user, nspname, count(*) from pg_class join pg_namespace as n on n.oid = relnamespace "
    ~ "where nspname in ('" ~ (schemas | join("', '")) ~ "') "
    ~ "and relname in ('" ~ (relations | map(attribute='identifier') | unique | join("', '")) ~ "') "
    ~ "and not (has_schema_privilege(n.oid, 'USAGE') and has_any_column_privilege(pg_class.oid, 'SELECT')) "
    ~ "group by nspname order by nspname"
  ).rows %}
  {% set grants = [] %}
  {% for user, schema, tables in refused %}
    {% do grants.append(
      'GRANT USAGE ON SCHEMA "' ~ schema ~ '" TO "' ~ user ~ '"; GRANT SELECT ON ALL TABLES IN SCHEMA "' ~ schema ~ '" TO "' ~ user ~ '";'
    ) %}
  {% endfor %}
  {% if grants %}
    {% do exceptions.raise_compiler_error(
      'The user of dbt may not read all tables of ' ~ (refused | map(attribute=1) | join(', ')) ~ '. As their owner: ' ~ (grants | join(' '))
    ) %}
  {% endif %}
{% endmacro %}


{#
  Refuses a report whose columns have the names that Ads Manager shows. Such a report has names that
  the API does not have, and it has no spend under a name of the API, or one of its names is what
  Pinterest shows for a metric. A column that is newer than this list is not refused for that alone.
#}
{% macro check_names(relation) %}
  {% set names = tap_pinterest.types_of(relation).keys() | list %}
  {% set others = [] %}
  {% for name in names if name not in tap_pinterest.api_columns() and not name.startswith('_sdc_') %}
    {% do others.append(name) %}
  {% endfor %}
  {% set has_spend = 'spend_in_micro_dollar' in names or 'spend_in_dollar' in names %}
  {% if others and (not has_spend or tap_pinterest.are_displayed(others, relation)) %}
    {% do exceptions.raise_compiler_error(
      'The table ' ~ relation ~ ' has columns that Pinterest\'s API does not have: ' ~ (others[:5] | join(', '))
      ~ '. These models do not work with column_names: display; load with column_names: api, which is the default.'
    ) %}
  {% endif %}
{% endmacro %}


{# Whether one of the columns of a report has the name that Ads Manager shows for a metric. #}
{% macro are_displayed(columns, report) %}
  {% set metrics = adapter.get_relation(database=report.database, schema=report.schema, identifier='delivery_metrics') %}
  {% if not metrics or 'display_name' not in tap_pinterest.types_of(metrics) %}{% do return(false) %}{% endif %}
  {% set shown = {} %}
  {% for name, text in run_query('select lower(name), lower(display_name) from ' ~ metrics).rows if text %}
    {% do shown.update({name: modules.re.sub('[^a-z0-9]+', '_', text).strip('_')}) %}
  {% endfor %}
  {% do return(columns | reject('in', shown) | select('in', shown.values() | list) | list | length > 0) %}
{% endmacro %}


{# Refuses metrics that neither the API nor a loaded table has. #}
{% macro check_metrics(relations) %}
  {% set unknown = tap_pinterest.added_metrics() | reject('in', tap_pinterest.api_columns()) | list %}
  {% set there = [] %}
  {% for relation in relations if unknown %}{% do there.extend(tap_pinterest.types_of(relation).keys()) %}{% endfor %}
  {% set unknown = unknown | reject('in', there) | list %}
  {% if unknown %}
    {% do exceptions.raise_compiler_error(
      'The variable pinterest_metrics names columns that no report has: ' ~ (unknown | join(', '))
      ~ '. Name columns of the tables, such as total_web_checkout.'
    ) %}
  {% endif %}
{% endmacro %}


{# Refuses a report of other periods or another level where one of ads by day is wanted. #}
{% macro check_window(relation) %}
  {% set types = tap_pinterest.types_of(relation) %}
  {% set more = ['hour', 'date_end', 'start_date', 'targeting_type'] | select('in', types) | list %}
  {% if more or 'ad_id' not in types or 'date' not in types %}
    {% do exceptions.raise_compiler_error(
      'The table ' ~ relation ~ ' in the variable pinterest_ad_window_tables is not a report of ads by day. '
      ~ 'Name custom reports with level: PIN_PROMOTION and granularity: DAY.'
    ) %}
  {% endif %}
{% endmacro %}


{# Names the tables that are not there, at the end of a run, where somebody reads it. #}
{% macro tell_missing_tables() %}
  {% if tap_pinterest.is_building() %}
    {% for schema in tap_pinterest.schemas() %}
      {% set missing = tap_pinterest.missing_in(schema) %}
      {% if missing %}
        {% do log('Not loaded into ' ~ schema ~ ', so their models have no rows of it: ' ~ (missing | join(', ')), info=true) %}
      {% endif %}
    {% endfor %}
  {% endif %}
{% endmacro %}


{# The tables that models are made from and that a schema does not have. #}
{% macro missing_in(schema) %}
  {% set missing = [] %}
  {% for name in tap_pinterest.known_tables() + var('pinterest_ad_window_tables', []) %}
    {% if schema not in tap_pinterest.tables_called(name) | map('first') %}{% do missing.append(name) %}{% endif %}
  {% endfor %}
  {% do return(missing) %}
{% endmacro %}
