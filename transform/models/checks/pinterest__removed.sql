with listings as (

  -- A target that only adds rows has one for each time that an item was listed.
  select
    *,
    row_number() over (
      partition by source_relation, stream, account_id, parent_id, id order by listed_at desc
    ) as age
  from {{ ref('stg_pinterest__listed_items') }}

),

last_listings as (

  select source_relation, stream, account_id, parent_id, list_settings, listed_at, count(*) as items
  from listings
  where age = 1
  group by source_relation, stream, account_id, parent_id, list_settings, listed_at

),

lists as (

  select distinct
    source_relation, stream, account_id, parent_id, list_settings, listed_at, items, ad_account_id, user_id
  from {{ ref('stg_pinterest__complete_lists') }}

),

loaded_lists as (

  -- A list counts once all its items have been loaded.
  select
    lists.source_relation,
    lists.stream,
    lists.account_id,
    lists.parent_id,
    lists.list_settings,
    lists.listed_at,
    lists.ad_account_id,
    lists.user_id
  from lists
  left join last_listings
    on last_listings.source_relation = lists.source_relation
    and last_listings.stream = lists.stream
    and last_listings.account_id = lists.account_id
    and lists.parent_id in (last_listings.parent_id, '(all)')
    and last_listings.listed_at >= lists.listed_at
  group by
    lists.source_relation,
    lists.stream,
    lists.account_id,
    lists.parent_id,
    lists.list_settings,
    lists.listed_at,
    lists.ad_account_id,
    lists.user_id
  having coalesce(sum(last_listings.items), 0) >= max(lists.items)

),

missed as (

  select
    last_listings.source_relation,
    last_listings.stream,
    last_listings.account_id,
    last_listings.parent_id,
    last_listings.list_settings,
    last_listings.listed_at,
    min(loaded_lists.listed_at) as first_missed_at,
    count(distinct loaded_lists.listed_at) as missed_lists,
    max(loaded_lists.ad_account_id) as ad_account_id,
    max(loaded_lists.user_id) as user_id
  from last_listings
  inner join loaded_lists
    on loaded_lists.source_relation = last_listings.source_relation
    and loaded_lists.stream = last_listings.stream
    and loaded_lists.account_id = last_listings.account_id
    and loaded_lists.parent_id in (last_listings.parent_id, '(all)')
    and loaded_lists.list_settings = last_listings.list_settings
    and loaded_lists.listed_at > last_listings.listed_at
  group by
    last_listings.source_relation,
    last_listings.stream,
    last_listings.account_id,
    last_listings.parent_id,
    last_listings.list_settings,
    last_listings.listed_at

),

items as (

  select
    listings.source_relation,
    listings.stream,
    listings.id,
    listings.parent_id,
    listings.account_id,
    missed.ad_account_id,
    missed.user_id,
    listings.listed_at as last_listed_at,
    missed.missed_lists,
    max(missed.first_missed_at) over (
      partition by listings.source_relation, listings.stream, listings.id
    ) as first_missed_at,
    count(*) over (partition by listings.source_relation, listings.stream, listings.id)
      - count(missed.first_missed_at) over (
        partition by listings.source_relation, listings.stream, listings.id
      ) as lists_that_may_have_it,
    row_number() over (
      partition by listings.source_relation, listings.stream, listings.id
      order by listings.listed_at desc, listings.account_id, listings.parent_id
    ) as place
  from listings
  left join missed
    on missed.source_relation = listings.source_relation
    and missed.stream = listings.stream
    and missed.account_id = listings.account_id
    and missed.parent_id = listings.parent_id
    and missed.list_settings = listings.list_settings
    and missed.listed_at = listings.listed_at
  where listings.age = 1

)

select
  source_relation,
  stream,
  id,
  parent_id,
  account_id,
  ad_account_id,
  user_id,
  last_listed_at,
  first_missed_at,
  missed_lists
from items
where place = 1 and lists_that_may_have_it = 0
