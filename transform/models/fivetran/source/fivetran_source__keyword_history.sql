{{ config(alias='keyword_history') }}
select
  keyword_id as id,
  md5(source_relation || '|' || keyword_id) as _fivetran_id,
  ad_account_id as advertiser_id,
  campaign_id,
  ad_group_id,
  value,
  match_type,
  parent_type,
  bid,
  archived,
  {{ tap_pinterest.fivetran_synced() }}
from {{ ref('stg_pinterest__keywords') }}
