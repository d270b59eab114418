{# The parts of a link: null where it has none. #}
{% macro link_parts(url) %}
  {{ tap_pinterest.part_of(url, '^([^?#]+)') }} as base_url,
  {{ tap_pinterest.part_of(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)') }} as url_host,
  {{ tap_pinterest.part_of(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]+(/[^?#]*)') }} as url_path
  {%- for name in ['source', 'medium', 'campaign', 'content', 'term'] %},
  {{ tap_pinterest.part_of(url, '[?&]utm_' ~ name ~ '=([^&#]*)') }} as utm_{{ name }}
  {%- endfor %}
{% endmacro %}
