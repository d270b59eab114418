{# Reports of the tap's custom_reports at the level of ads, by day, with windows of their own. #}
{{ tap_pinterest.staged('ad_analytics', var('pinterest_ad_window_tables', [])) }}
