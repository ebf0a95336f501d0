-- One statement of SQLite's dialect a line: each parses, prints and parses again (test_syntax.py), and is
-- the stock from which broken ones are bred to compare what is accepted with the sqlite3 module.
select 1
select a, b from t
select a as x, b y, c "z", d 'w' from t as u
select * from t
select t.* from t
select distinct a from t
select all a from t
select a from t where a = 1 and b <> 2 or not c
select a from t where a between 1 and 2 and b not between 3 and 4
select a from t where a in (1,2,3) and b not in (select a from u) and c in u and d not in main.u and e in ()
select a from t where a like 'x%' escape '\' or b not like 'y' or a glob 'z' or b not glob 'q'
select a from t where a is null or b is not null or c isnull or d notnull or e not null
select a from t where a is 1 and b is not 2 and c is distinct from d and d is not distinct from e
select case a when 1 then 'x' when 2 then 'y' else 'z' end, case when a then b end from t
select cast(a as integer), cast(b as varchar(10)), cast(c as decimal(10,5)) from t
select a collate nocase, b || c || d, a -> 'x', a ->> '$.y' from t
select -a, +b, ~c, not d, - - a, -~+b from t
select a+b*c-d/e%2, a<<1|b>>2&c, (a+b)*c from t
select count(*), count(distinct a), sum(all b), max(a,b), min(a) filter (where a > 1) from t
select sum(a) over (), sum(b) over w, row_number() over (partition by a order by b desc nulls last) from t window w as (order by a)
select sum(a) over (order by b rows between 1 preceding and current row exclude ties) from t
select sum(a) over (order by b range between unbounded preceding and unbounded following exclude current row) from t
select sum(a) over (w rows unbounded preceding), sum(b) over (groups between 2 preceding and 1 following exclude group) from t window w as (partition by c)
select sum(a) filter (where b) over (rows current row exclude no others) from t
select exists (select 1 from t), (select a from t limit 1), not exists (values (1)) from t
select (a, b) = (1, 2), (a,b) < (select 1, 2) from t
select * from t, u
select * from t join u on t.a = u.a
select * from t left join u using (a)
select * from t left outer join u using (a, b)
select * from t natural join u
select * from t natural left outer join u
select * from t cross join u
select * from t inner join u on 1
select * from t right join u on t.a=u.a
select * from t full outer join u on t.a=u.a
select * from (select a from t) as x, (select b from u) y
select * from (t join u on t.a = u.a)
select * from (t cross join u) as x
select * from t indexed by ta where a = 1
select * from t not indexed where a = 1
select * from main.t as x not indexed
select * from json_each('[1,2]') as j
select * from generate_series(1, 10)
select a from t group by a having count(*) > 1 order by 1
select a, b from t group by a, b+1 order by a asc, b desc nulls first, c collate nocase limit 10 offset 5
select a from t limit 5, 10
select a from t limit -1
select a from t union select a from u union all select b from t intersect select c from u except select d from t order by 1 limit 3
values (1,2), (3,4)
values (1) union all values (2)
select 1 union values (2), (3)
with x as (select 1) select * from x
with x(a,b) as (select 1,2), y as materialized (select 3), z as not materialized (select 4) select * from x, y, z
with recursive c(n) as (select 1 union all select n+1 from c where n < 10) select n from c
select * from t where (a, b) in (select a, b from u)
select ?, ?5, :name, @name, $name, ?
select 'it''s', "a", [a], `a`, x'ab', X'', 1, 1.5, .5, 1e10, 1.5E-3, 0xff, 1., null, true, false from t
select current_time, current_date, current_timestamp
select a /* comment */ from t
insert into t values (1,2,3,4,5)
insert into t(a,b) values (1,2),(3,4)
insert into t default values
insert or replace into t select * from u
insert or ignore into main.t(a) values (1)
insert or abort into t(a) values (1)
insert or fail into t(a) values (1)
insert or rollback into t(a) values (1)
replace into t values (1,2,3,4,5)
insert into t(a) values (1) on conflict do nothing
insert into t(a) values (1) on conflict (a) do update set b = excluded.a, (c,d) = (1,2) where b > 1
insert into t(a) values (1) on conflict (a) do nothing on conflict do update set b=1
insert into t as x (a) values (1) on conflict (a) where a > 1 do update set b = 1 returning a, b as y, *
insert into t(a) select a from u where true on conflict (a) do nothing
with x as (select 1) insert into t(a) select * from x
update t set a = 1
update or ignore t set a = 1, b = b + 1 where c = 2
update t set (a, b) = (1, 2), c = 3
update t set (a, b) = (select 1, 2) from u where t.a = u.a returning *
update main.t as x indexed by ta set b = 2 where a = 1
with x as (select 1) update t set a = 2 where b in x
delete from t
delete from t where a = 1 returning a
delete from main.t as x not indexed where a = 1
with x as (select 1) delete from t where a in x
create table n(a)
create table if not exists main.n (a integer primary key, b text not null, c real default 1.5, d blob, e)
create temp table n(a int, b varchar(10), c decimal(10, 5), d unsigned big int, e double precision)
create temporary table n (a integer primary key autoincrement)
create table n (a integer primary key desc on conflict replace, b unique on conflict ignore, c check (c > 0), d collate nocase)
create table n (a not null on conflict abort default 'x', b default (1+2), c default -1, d default +2, e default current_timestamp, f default null, g default abc, h default true)
create table n (a constraint nn not null constraint uu unique, b, constraint pk primary key (a, b), constraint u unique (a collate nocase desc, b) on conflict fail, check (a > b), foreign key (a) references t(a) on delete cascade on update set null)
create table n (a references t(a) on delete set default on update restrict match full deferrable initially deferred, b references t not deferrable initially immediate, c references t on delete no action)
create table n (a, b generated always as (a+1) stored, c as (a*2), d int as (a) virtual)
create table n (a primary key, b) without rowid
create table n (a int primary key, b text) strict, without rowid
create table n as select * from t
create table n (a, primary key (a) unique (a) check (a))
create index i on t(a)
create unique index if not exists main.i on t(a desc, b collate nocase asc, c + 1, lower(d)) where a > 1
create view v as select * from t
create temp view if not exists v(x, y) as select a, b from t
create trigger tr after insert on t begin select 1; end
create temp trigger if not exists tr before update of a, b on t for each row when new.a > 1 begin update t set a = 1 where b = 2; delete from t where a = 1; insert into t(a) values (1); select raise(abort, 'x'); end
create trigger tr instead of delete on vv begin select raise(ignore); end
drop table t
drop table if exists main.n
drop index if exists ta
drop view vv
drop trigger if exists tr
alter table t rename to n
alter table t rename column a to z
alter table t rename a to z
alter table t add column z integer default 1
alter table t add z
alter table t drop column e
begin
begin transaction
begin deferred transaction
begin immediate
begin exclusive transaction x
commit
commit transaction
end
end transaction
rollback
rollback transaction
rollback to s
rollback transaction to savepoint s
savepoint s
release s
release savepoint s
pragma user_version
pragma main.user_version
pragma user_version = 5
pragma user_version(5)
pragma journal_mode = wal
pragma journal_mode = delete
pragma foreign_keys = on
pragma cache_size = -2000
pragma table_info('t')
explain select 1
explain query plan select 1
analyze
analyze t
analyze main.t
reindex
reindex t
vacuum
vacuum main
vacuum s.t
vacuum into 'x'
attach 'x' as y
attach database 'x' as y key 'z'
detach y
detach database y
create virtual table vt using fts5(a, b, tokenize = 'porter ascii')
select a from t where b = 1 order by a limit 1 offset 2 for update skip locked
select * from t as u join v on u.a = v.a for share of u, v nowait for update of v
insert into t select a, b from u where a > 2 for update
select a from (select a from t for share) where a in (select b from u for update nowait)
