{# All variables of this project; docs/models.md describes them. #}
{% macro known_variables() %}
  {% do return([
    'pinterest_ad_window_tables',
    'pinterest_currency',
    'pinterest_error_hours',
    'pinterest_fivetran',
    'pinterest_fivetran_schema',
    'pinterest_fx_rates',
    'pinterest_index_megabytes',
    'pinterest_lookback_days',
    'pinterest_metrics',
    'pinterest_now',
    'pinterest_overlap_minutes',
    'pinterest_reconciliation_severity',
    'pinterest_rounding',
    'pinterest_schemas',
    'pinterest_tables_database',
    'pinterest_ums',
    'pinterest_ums_schema',
    'pinterest_warn_hours',
  ]) %}
{% endmacro %}


{#
  Stops a run that gives a value to a variable that nothing reads. In somebody else's project it only
  warns, because another package may read the variable, and leaves those of Fivetran's package alone.
#}
{% macro check_variables() %}
  {% set known = tap_pinterest.known_variables() %}
  {% set of_project = adapter.config.vars.to_dict() %}
  {% set unknown = of_project.get('tap_pinterest', {}).keys() | reject('in', known) | list %}
  {% set unclear = [] %}
  {% for name in (of_project.keys() | list) + (adapter.config.cli_vars.keys() | list) %}
    {% if name.lower().startswith('pinterest') and name not in known %}{% do unclear.append(name) %}{% endif %}
  {% endfor %}
  {% for name in var('pinterest_ums', {}) if name not in ('channel', 'vendor', 'subchannel', 'media_type') %}
    {% do unknown.append('pinterest_ums.' ~ name) %}
  {% endfor %}
  {% if project_name == 'tap_pinterest' %}{% do unknown.extend(unclear) %}{% set unclear = [] %}{% endif %}
  {% set theirs = 'pinterest(_source|_sources|_schema|_database|_union_.*|_.*_identifier|__.*)?$' %}
  {% for name in unclear if not modules.re.match(theirs, name) %}
    {% do exceptions.warn(tap_pinterest.unknown_variables([name])) %}
  {% endfor %}
  {% if unknown %}{% do exceptions.raise_compiler_error(tap_pinterest.unknown_variables(unknown)) %}{% endif %}
{% endmacro %}


{% macro unknown_variables(names) %}
  {% do return(
    'The models have no variable ' ~ (names | join(', ')) ~ '. Its value has no effect. The variables are '
    ~ (tap_pinterest.known_variables() | join(', ')) ~ '.'
  ) %}
{% endmacro %}
