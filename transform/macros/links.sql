{# The parts of a link, as they stand in it: null where it has none. #}
{% macro link_parts(url) %}
  {{ tap_pinterest.part_of(url, '^([^?#]+)') }} as base_url,
  {{ tap_pinterest.part_of(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)') }} as url_host,
  {{ tap_pinterest.part_of(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]+(/[^?#]*)') }} as url_path
  {%- for name in tap_pinterest.utm_names() %},
  {{ tap_pinterest.part_of(url, '[?&]utm_' ~ name ~ '=([^&#]*)') }} as utm_{{ name }}
  {%- endfor %}
{% endmacro %}


{% macro utm_names() %}{% do return(['source', 'medium', 'campaign', 'content', 'term']) %}{% endmacro %}


{#
  The value of a parameter as somebody wrote it: `+` is a space, and %C3%A9 is é. What no text has
  as its code (a lone %, %zz, bytes that are not UTF-8, the zero byte) stays as it is.
#}
{% macro decoded(value) %}
  {{- adapter.dispatch('decoded', 'tap_pinterest')(value, tap_pinterest.encoded_parts()) -}}
{% endmacro %}

{% macro default__decoded(value, parts) %}
  {{- "case when " ~ value ~ " ~ '[%+]' then (select string_agg("
    ~ "case when length(found[1]) > 1 and left(found[1], 1) = '%' "
    ~ "then convert_from(decode(replace(found[1], '%', ''), 'hex'), 'UTF8') else replace(found[1], '+', ' ') end, '' order by place) "
    ~ "from regexp_matches(" ~ value ~ ", '" ~ parts ~ "', 'g') with ordinality as parts (found, place)) else " ~ value ~ " end" -}}
{% endmacro %}

{% macro duckdb__decoded(value, parts) %}
  {{- "case when regexp_matches(" ~ value ~ ", '[%+]') then array_to_string(["
    ~ "case when length(found) > 1 and found[1] = '%' "
    ~ "then decode(unhex(replace(found, '%', ''))) else replace(found, '+', ' ') end "
    ~ "for found in regexp_extract_all(" ~ value ~ ", '" ~ parts ~ "')], '') else " ~ value ~ " end" -}}
{% endmacro %}


{# Encoded characters in a row, other text in a row, or one % or + alone. #}
{% macro encoded_parts() %}
  {%- set more = '%[89AB][0-9A-F]' -%}
  {%- set characters = [
    '%0[1-9A-F]', '%[1-7][0-9A-F]', '%C[2-9A-F]' ~ more, '%D[0-9A-F]' ~ more, '%E0%[AB][0-9A-F]' ~ more,
    '%E[1-9ABCEF]' ~ more ~ more, '%ED%[89][0-9A-F]' ~ more, '%F0%[9AB][0-9A-F]' ~ more ~ more,
    '%F[1-3]' ~ more ~ more ~ more, '%F4%8[0-9A-F]' ~ more ~ more,
  ] -%}
  {{- '(?is)(?:' ~ characters | join('|') ~ ')+|[^%+]+|.' -}}
{% endmacro %}
