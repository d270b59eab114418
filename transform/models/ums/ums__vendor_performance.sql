{{ config(alias='vendor_performance') }}
{%- set ums = {'channel': 'Paid Social', 'vendor': 'Pinterest', 'subchannel': none, 'media_type': 'Social'} -%}
{%- do ums.update(var('pinterest_ums', {})) -%}
with ads as (

  select * from {{ ref('pinterest__ad_daily') }}
  union all
  select {{ tap_pinterest.ad_report_columns() }} from {{ ref('pinterest__ad_window_daily') }}

),

windowed as (

  select
    ads.*,
    coalesce(cast(click_window_days as text), '') || '/' || coalesce(cast(engagement_window_days as text), '') || '/'
    || coalesce(cast(view_window_days as text), '')
    || case when conversion_report_time = 'TIME_OF_CONVERSION' then ' TIME_OF_CONVERSION' else '' end as attribution_window
  from ads

)

select
  md5(
    cast(ads.date as text) || '|pinterest|' || coalesce(ads.ad_account_id, '') || '|' || ads.source_relation || '|'
    || coalesce(ads.campaign_id, '') || '|' || coalesce(ads.ad_group_id, '') || '|' || ads.ad_id || '|'
    || ads.attribution_window
  ) as id,
  ads.date as activity_date,
  ads.source_relation as store,
  {%- for name in ['channel', 'vendor', 'subchannel', 'media_type'] %}
  cast({{ "'" ~ ums[name] ~ "'" if ums[name] else 'null' }} as text) as {{ name }},
  {%- endfor %}
  ads.ad_account_id,
  ads.ad_account_name,
  cast(null as text) as property_name,
  cast('Pinterest' as text) as network_type,
  ads.campaign_id,
  ads.campaign_name,
  ads.campaign_status,
  ads.ad_group_id as adset_id,
  ads.ad_group_name as adset_name,
  ads.ad_group_status as adset_status,
  ads.ad_id,
  ads.ad_name,
  ads.ad_status,
  pins.description as ad_description,
  ads.destination_url as ad_url,
  ads.spend as total_spend,
  ads.clicks as total_clicks,
  ads.impressions as total_impressions,
  ads.checkouts as vendor_reported_orders,
  ads.checkout_value as vendor_reported_revenue,
  {{ tap_pinterest.plus(['ads.click_checkout_value', 'ads.engagement_checkout_value']) }} as revenue_clickthrough,
  {{ tap_pinterest.plus(['ads.click_checkouts', 'ads.engagement_checkouts']) }} as purchases_clickthrough,
  ads.view_checkout_value as revenue_viewthrough,
  ads.view_checkouts as purchases_viewthrough,
  ads.video_views,
  ads.video_views_25 as video_views_pct_25,
  ads.video_views_50 as video_views_pct_50,
  ads.video_views_75 as video_views_pct_75,
  ads.video_views_100 as video_views_pct_100,
  cast(null as text) as keyword,
  {%- for number in range(1, 6) %}
  cast(null as text) as segment_{{ number }},
  {%- endfor %}
  ads.currency as original_currency,
  coalesce(ads.conversion_rate, {{ 'null' if var('pinterest_fx_rates', none) else '1' }}) as currency_conversion_rate,
  coalesce(ads.target_currency, ads.currency) as target_currency,
  ads.attribution_window,
  {{ tap_pinterest.utc_now() }} as __loaded_at,
  ads.synced_at as __synced_at
from windowed as ads
left join {{ ref('stg_pinterest__pins') }} as pins
  on pins.source_relation = ads.source_relation
  and pins.pin_id = ads.pin_id
