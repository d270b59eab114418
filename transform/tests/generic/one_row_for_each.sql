{# No two rows are alike in some columns; null is like null. #}
{% test one_row_for_each(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
