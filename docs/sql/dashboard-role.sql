-- A role for dashboards: it reads the views of the schema and nothing else. Run it as the schema's owner or a superuser, with psql:
--
--   psql -v role=mesh_dashboard -v schema=mesh -f docs/sql/dashboard-role.sql
--
-- The views run with their owner's rights, so the role needs none on the tables. Give it a password or a line in pg_hba.conf, and run
-- this again after an upgrade that brings new views. A rebuild keeps the rights: it replaces a view's definition, not the view.
select format('create role %I login', :'role') where not exists (select from pg_roles where rolname = :'role') \gexec
alter role :"role" set default_transaction_read_only = on;
alter role :"role" set statement_timeout = '30s';
grant usage on schema :"schema" to :"role";
select format('grant select on %I.%I to %I', schemaname, viewname, :'role') from pg_views where schemaname = :'schema' \gexec
