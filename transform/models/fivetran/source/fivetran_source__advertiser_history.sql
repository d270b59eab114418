{{ config(alias='advertiser_history') }}
select
  ad_account_id as id,
  name,
  country,
  currency,
  created_time,
  updated_time,
  owner ->> 'id' as owner_user_id,
  owner ->> 'username' as owner_username,
  cast(permissions as text) as permissions,
  {{ tap_pinterest.fivetran_synced() }}
from {{ ref('stg_pinterest__ad_accounts') }}
