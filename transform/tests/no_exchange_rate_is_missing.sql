-- With the variable pinterest_fx_rates, each day with spend has a rate.
select source_relation, date, currency
from {{ ref('pinterest__ad_daily') }}
where target_currency is not null and spend <> 0 and conversion_rate is null
group by source_relation, date, currency
