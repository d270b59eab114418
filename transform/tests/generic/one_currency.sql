{# Rows that are alike in some columns have one currency, so that sums by them mix none. #}
{% test one_currency(model, by) %}
select {{ by | join(', ') }}
from {{ model }}
group by {{ by | join(', ') }}
having count(distinct currency) <> 1 or count(currency) < count(*)
{% endtest %}
