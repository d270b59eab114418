{# The entities of a level, from the account down. #}
{% macro entities_of(level) %}
  {% set entities = {
    'account': [], 'campaign': ['campaign'], 'ad_group': ['campaign', 'ad_group'],
    'ad': ['campaign', 'ad_group', 'ad'], 'keyword': ['campaign', 'ad_group', 'keyword'],
  } %}
  {% do return(entities[level]) %}
{% endmacro %}


{# What a row of a level says about its entities. #}
{% macro names_of(level) %}
  {%- set entities = tap_pinterest.entities_of(level) %}
  facts.ad_account_id,
  ad_accounts.name as ad_account_name
  {%- if 'campaign' in entities %},
  facts.campaign_id,
  coalesce(campaigns.name, facts.campaign_name) as campaign_name,
  coalesce(campaigns.status, facts.campaign_entity_status) as campaign_status,
  campaigns.objective_type
  {%- endif %}
  {%- if 'ad_group' in entities %},
  facts.ad_group_id,
  coalesce(ad_groups.name, facts.ad_group_name) as ad_group_name,
  coalesce(ad_groups.status, facts.ad_group_entity_status) as ad_group_status
  {%- endif %}
  {%- if 'ad' in entities %},
  facts.ad_id,
  ads.name as ad_name,
  ads.status as ad_status,
  coalesce(facts.pin_id, ads.pin_id) as pin_id,
  ads.creative_type,
  ads.destination_url
  {%- endif %}
  {%- if 'keyword' in entities %},
  facts.keyword_id,
  keywords.value as keyword,
  keywords.match_type,
  keywords.parent_type
  {%- endif %}
{% endmacro %}


{#
  A report by day with names in place of ids, whether a day is complete, and money in a common
  currency. Names are today's, also of old days.
#}
{% macro report(level, facts, dimensions=[], where='true') %}
with facts as (

  select * from {{ facts }} where {{ where }}

),

named as (

  select
    facts.source_relation,
    facts.date,
    {%- for name in dimensions %}
    facts.{{ name }},
    {%- endfor %}
    {{- tap_pinterest.names_of(level) | indent(2) }},
    coalesce(facts.currency, ad_accounts.currency) as currency,
    coalesce(facts.click_window_days, ad_accounts.click_window_days) as click_window_days,
    coalesce(facts.engagement_window_days, ad_accounts.engagement_window_days) as engagement_window_days,
    coalesce(facts.view_window_days, ad_accounts.view_window_days) as view_window_days,
    coalesce(facts.conversion_report_time, ad_accounts.conversion_report_time) as conversion_report_time,
    {%- for name, kind, columns in tap_pinterest.metrics() %}
    facts.{{ name }},
    {%- endfor %}
    case when read_days.source_relation is not null then coalesce(days.is_complete, true) end as is_complete,
    facts.synced_at
  from facts
  left join {{ ref('stg_pinterest__ad_accounts') }} as ad_accounts
    on ad_accounts.source_relation = facts.source_relation
    and ad_accounts.ad_account_id = facts.ad_account_id
  {%- for entity in tap_pinterest.entities_of(level) %}
  left join {{ ref('stg_pinterest__' ~ entity ~ 's') }} as {{ entity }}s
    on {{ entity }}s.source_relation = facts.source_relation
    and {{ entity }}s.{{ entity }}_id = facts.{{ entity }}_id
  {%- endfor %}
  left join {{ ref('stg_pinterest__days') }} as days
    on days.source_relation = facts.source_relation
    and days.date = facts.date
  left join (select distinct source_relation from {{ ref('stg_pinterest__days') }}) as read_days
    on read_days.source_relation = facts.source_relation

)

{{ tap_pinterest.converted('named') }}
{% endmacro %}


{# Money in the currency of the variable pinterest_currency, beside the account's own. #}
{% macro converted(rows) %}
  {%- set rates = var('pinterest_fx_rates', none) -%}
  {%- set target_currency = var('pinterest_currency', none) if rates else none -%}
select
  {{ rows }}.*,
  {% if rates -%}
  cast('{{ target_currency }}' as text) as target_currency,
  case when currency = '{{ target_currency }}' then cast(1 as numeric(18, 12)) else rates.rate end as conversion_rate,
  {{ tap_pinterest.exchanged('spend', target_currency) }} as spend_converted,
  {{ tap_pinterest.exchanged('checkout_value', target_currency) }} as checkout_value_converted
  {%- else -%}
  cast(null as text) as target_currency,
  cast(null as numeric(18, 12)) as conversion_rate,
  cast(null as numeric(38, 6)) as spend_converted,
  cast(null as numeric(38, 6)) as checkout_value_converted
  {%- endif %}
from {{ rows }}
  {%- if rates %}
left join (
  select cast(date as date) as rate_date, from_currency, max(cast(rate as numeric(18, 12))) as rate
  from {{ rates }}
  where to_currency = '{{ target_currency }}'
  group by 1, 2
) as rates
  on rates.rate_date = {{ rows }}.date
  and rates.from_currency = {{ rows }}.currency
  {%- endif %}
{% endmacro %}


{% macro exchanged(amount, target_currency) -%}
  cast(
    case when currency = '{{ target_currency }}' then {{ amount }}
      else cast({{ amount }} as numeric(20, 6)) * rates.rate end as numeric(38, 6)
  )
{%- endmacro %}


{# What tells one set of numbers from another: never added up. #}
{% macro settings() %}
  {% do return(['currency', 'click_window_days', 'engagement_window_days', 'view_window_days', 'conversion_report_time']) %}
{% endmacro %}


{# Sums of the metrics over rows that are alike in some columns. #}
{% macro sums(rows, by, counted=none) %}
select
  {{ by | join(',\n  ') }},
  {%- if counted %}
  count(distinct {{ counted }}) as {{ counted | replace('_id', '') }}s,
  {%- endif %}
  {%- for name, kind, columns in tap_pinterest.metrics() %}
  {{ tap_pinterest.total(kind, name) }} as {{ name }},
  {%- endfor %}
  target_currency,
  conversion_rate,
  {{ tap_pinterest.total('money', 'spend_converted') }} as spend_converted,
  {{ tap_pinterest.total('money', 'checkout_value_converted') }} as checkout_value_converted,
  max(synced_at) as synced_at
from {{ rows }}
group by {{ by | join(', ') }}, target_currency, conversion_rate
{% endmacro %}


{# The columns of a campaign's report after what it is broken down by. #}
{% macro rest_of_a_campaign() -%}
  campaigns.ad_account_id,
  campaigns.ad_account_name,
  campaigns.campaign_id,
  campaigns.campaign_name,
  campaigns.campaign_status,
  campaigns.objective_type,
  {%- for name in tap_pinterest.settings() %}
  campaigns.{{ name }},
  {%- endfor %}
  {%- for name, kind, columns in tap_pinterest.metrics() %}
  campaigns.{{ name }},
  {%- endfor %}
  campaigns.is_complete,
  campaigns.synced_at,
  campaigns.target_currency,
  campaigns.conversion_rate,
  campaigns.spend_converted,
  campaigns.checkout_value_converted
{%- endmacro %}


{# A line for each schema that the tap has loaded, for lists that are the same in all. #}
{% macro source_relations() %}
  {%- for schema in tap_pinterest.schemas() %}
{{ 'union all ' if not loop.first }}select cast('{{ schema }}' as text) as source_relation
  {%- endfor %}
{% endmacro %}


{# The columns of the report of ads, in their order. #}
{% macro ad_report_columns() -%}
  source_relation, date, ad_account_id, ad_account_name, campaign_id, campaign_name, campaign_status, objective_type,
  ad_group_id, ad_group_name, ad_group_status, ad_id, ad_name, ad_status, pin_id, creative_type, destination_url,
  {{ tap_pinterest.settings() | join(', ') }},
  {{ tap_pinterest.metrics() | map('first') | join(', ') }},
  is_complete, synced_at, target_currency, conversion_rate, spend_converted, checkout_value_converted
{%- endmacro %}
