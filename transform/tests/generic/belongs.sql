{# Each id is that of a row of another model, in the same schema. #}
{% test belongs(model, column, to) %}
select distinct rows.source_relation, rows.{{ column }}
from {{ model }} as rows
left join {{ to }} as owners
  on owners.source_relation = rows.source_relation
  and owners.{{ column }} = rows.{{ column }}
where rows.{{ column }} is not null and owners.{{ column }} is null
{% endtest %}
