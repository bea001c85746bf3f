import { columnsOf, type DialectName } from "./migration.ts";

export function knowledgeTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table knowledge (
      ${id}, key text not null unique, scope text not null, owner text not null, kind text not null, fact text not null,
      detail text, recommendation text, tags text not null, files text not null, confidence text not null,
      used integer not null default 0, helpful integer not null default 0, outdated integer not null default 0,
      created_at ${big} not null, created_by text not null, updated_at ${big} not null, used_at ${big},
      retired_at ${big}, retired_reason text)`,
    `create index knowledge_live on knowledge (scope, owner, updated_at) where retired_at is null`,
    `create table knowledge_source (
      knowledge_id ${big} not null references knowledge (id) on delete cascade, kind text not null, ref text not null,
      actor text not null, at ${big} not null, primary key (knowledge_id, kind, ref))`,
    ...(dialect === "sqlite" ? sqliteSearch : postgresSearch),
  ];
}

const columns = ["fact", "detail", "recommendation", "tags", "files"];
const listed = columns.join(", ");
const of = (row: string) => columns.map((column) => `${row}.${column}`).join(", ");

const sqliteSearch = [
  `create virtual table knowledge_search using fts5 (
    ${listed}, content='knowledge', content_rowid='id', tokenize='porter unicode61')`,
  `create trigger knowledge_search_insert after insert on knowledge begin
    insert into knowledge_search (rowid, ${listed}) values (new.id, ${of("new")}); end`,
  `create trigger knowledge_search_update after update of ${listed} on knowledge begin
    insert into knowledge_search (knowledge_search, rowid, ${listed}) values ('delete', old.id, ${of("old")});
    insert into knowledge_search (rowid, ${listed}) values (new.id, ${of("new")}); end`,
  `create trigger knowledge_search_delete after delete on knowledge begin
    insert into knowledge_search (knowledge_search, rowid, ${listed}) values ('delete', old.id, ${of("old")}); end`,
];

const postgresSearch = [
  // without the marks, paths and tags are words as they are on SQLite, and not one token each
  `alter table knowledge add column search tsvector generated always as (to_tsvector('english', translate(
    fact || ' ' || coalesce(detail, '') || ' ' || coalesce(recommendation, '') || ' ' || tags || ' ' || files,
    '/.-_:@#+&=~?!<>', '               '))) stored`,
  `create index knowledge_search on knowledge using gin (search)`,
];
