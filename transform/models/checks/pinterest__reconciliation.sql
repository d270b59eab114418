{%- set measures = ['spend', 'impressions', 'clicks', 'conversions', 'checkout_value'] -%}
{%- set levels = {'campaign': 'campaign_analytics', 'ad_group': 'ad_group_analytics', 'ad': 'ad_analytics'} -%}
with levels as (
  {%- for level in levels %}
  {{ 'union all' if not loop.first }}
  select
    cast('{{ level }}' as text) as level, source_relation, ad_account_id, date,
    {%- for name in measures %}
    sum({{ name }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
  from {{ ref('int_pinterest__' ~ level ~ '_daily') }}
  group by source_relation, ad_account_id, date
  {%- endfor %}

),

loaded as (

  -- A level that a schema does not have cannot differ.
  select distinct source_relation, level from levels

),

compared as (

  select
    coalesce(accounts.source_relation, levels.source_relation) as source_relation,
    coalesce(accounts.ad_account_id, levels.ad_account_id) as ad_account_id,
    coalesce(accounts.date, levels.date) as date,
    coalesce(accounts.level, levels.level) as level,
    accounts.currency,
    {%- for name in measures %}
    coalesce(accounts.{{ name }}, 0) as account_{{ name }},
    coalesce(levels.{{ name }}, 0) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
  from (
    select days.*, loaded.level
    from {{ ref('int_pinterest__ad_account_daily') }} as days
    inner join loaded on loaded.source_relation = days.source_relation
  ) as accounts
  full outer join levels
    on levels.source_relation = accounts.source_relation
    and levels.ad_account_id = accounts.ad_account_id
    and levels.date = accounts.date
    and levels.level = accounts.level

)

select
  compared.source_relation,
  compared.ad_account_id,
  names.name as ad_account_name,
  compared.date,
  compared.level,
  coalesce(compared.currency, names.currency) as currency,
  {%- for name in measures %}
  compared.account_{{ name }},
  compared.{{ name }},
  compared.{{ name }} - compared.account_{{ name }} as {{ name }}_difference,
  {%- endfor %}
  {% for name in measures -%}
    {{ ' and ' if not loop.first }}abs(compared.{{ name }} - compared.account_{{ name }}) <= {{ tap_pinterest.rounding() }}
  {%- endfor %} as is_equal
from compared
left join {{ ref('stg_pinterest__ad_accounts') }} as names
  on names.source_relation = compared.source_relation
  and names.ad_account_id = compared.ad_account_id
{%- if not tap_pinterest.tables_called('ad_account_analytics') %}
where false
{%- endif %}
