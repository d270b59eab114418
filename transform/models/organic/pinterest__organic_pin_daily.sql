{%- set metrics = ['impression', 'outbound_click', 'pin_click', 'save', 'user_follow', 'profile_visit', 'video_mrc_view'] -%}
with rows_by_app as (

  select
    *,
    max(case when app_type = 'ALL' then 1 else 0 end) over (partition by source_relation, pin_id, date) as has_whole
  from {{ ref('stg_pinterest__pin_daily') }}

),

days as (

  -- The whole where there is one, and the parts by kind of app where there is none.
  select
    source_relation,
    pin_id,
    date,
    max(user_id) as user_id,
    min(data_status) as data_status,
    {%- for name in metrics %}
    {{ tap_pinterest.total('number', name) }} as {{ name }}s,
    {%- endfor %}
    max(synced_at) as synced_at
  from rows_by_app
  where has_whole = 0 or app_type = 'ALL'
  group by source_relation, pin_id, date

)

select
  days.source_relation,
  days.date,
  days.user_id,
  days.pin_id,
  pins.title,
  pins.link,
  pins.board_id,
  boards.name as board_name,
  pins.creative_type,
  days.data_status,
  {%- for name in metrics %}
  days.{{ name }}s,
  {%- endfor %}
  days.synced_at
from days
left join {{ ref('stg_pinterest__pins') }} as pins
  on pins.source_relation = days.source_relation
  and pins.pin_id = days.pin_id
left join {{ ref('stg_pinterest__boards') }} as boards
  on boards.source_relation = days.source_relation
  and boards.board_id = pins.board_id
