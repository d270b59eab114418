-- The relation of the variable pinterest_fx_rates has one rate for each day and pair of currencies.
{% if var('pinterest_fx_rates', none) %}
select date, from_currency, to_currency
from {{ var('pinterest_fx_rates') }}
group by date, from_currency, to_currency
having count(*) > 1
{% else %}
select 1 as nothing where false
{% endif %}
