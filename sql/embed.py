#!/usr/bin/python3
"""Turns sql/ into C: the closed list of named statements (an enum and a table) and the
migration scripts that `umpctl migrate` applies.

  queries/*.sql     any number of statements, each introduced by `-- name: x`, optionally followed by
                      -- params: uuid,text,bytea   parameter types; without it PostgreSQL infers them
                      -- lock: 2                   parameter whose text is the lock key when the caller gives none
  migrations/NNNN-name.sql   forward only; `-- oldest-program: N` names the oldest schema version
                             whose programs may still use the result (default: NNNN itself)
  functions/*.sql   created again at each migrate, after the migrations, in order of file name
  grants.sql        last
"""
import os
import re
import sys

OIDS = {
    'bool': 16, 'bytea': 17, 'int8': 20, 'bigint': 20, 'int4': 23, 'int': 23, 'integer': 23, 'text': 25,
    'json': 114, 'float8': 701, 'inet': 869, 'cidr': 650, 'date': 1082, 'timestamptz': 1184,
    'interval': 1186, 'numeric': 1700, 'uuid': 2950, 'jsonb': 3802, 'int2': 21, 'smallint': 21,
    'bool[]': 1000, 'bytea[]': 1001, 'int4[]': 1007, 'int[]': 1007, 'text[]': 1009, 'int8[]': 1016,
    'bigint[]': 1016, 'uuid[]': 2951, 'timestamptz[]': 1185, 'jsonb[]': 3807, 'auto': 0,
}


def fail(path, line, what):
    sys.exit(f'{path}:{line}: {what}')


def c_string(text):
    out = []
    for line in text.split('\n'):
        line = line.rstrip()
        out.append('    "' + line.replace('\\', '\\\\').replace('"', '\\"').replace('\t', ' ') + '\\n"')
    return '\n'.join(out) or '    ""'


def bare(sql):
    """sql without comments, literals and dollar quotes: what is left is syntax."""
    pattern = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|(\$[A-Za-z_]*\$).*?\1", re.S)
    return pattern.sub(' ', sql)


def statement(path, line, name, body):
    if not re.fullmatch(r'[a-z][a-z0-9_]*', name):
        fail(path, line, f'bad statement name {name!r}')
    options = dict(re.findall(r'^--[ \t]*(params|lock):[ \t]*(.*?)[ \t]*$', body, re.M))
    sql = re.sub(r'^--[ \t]*(?:params|lock):.*\n?', '', body, flags=re.M)
    sql = re.sub(r'^[ \t]*--.*\n?', '', sql, flags=re.M).strip()
    sql = re.sub(r';\s*$', '', sql)
    syntax = bare(sql)
    if not syntax.strip():
        fail(path, line, f'{name}: empty statement')
    if ';' in syntax:
        fail(path, line, f'{name}: more than one statement')
    if re.match(r'\s*(set|begin|commit|rollback|savepoint|create|alter|drop)\b', syntax, re.I):
        fail(path, line, f'{name}: no SET, transaction control or DDL in a named statement')
    numbers = sorted({int(n) for n in re.findall(r'\$([0-9]+)', syntax)})
    count = numbers[-1] if numbers else 0
    if numbers != list(range(1, count + 1)):
        fail(path, line, f'{name}: parameters {numbers} have gaps')
    types = []
    if options.get('params'):
        words = [w.strip().lower() for w in options['params'].split(',')]
        for word in words:
            if word not in OIDS:
                fail(path, line, f'{name}: unknown parameter type {word!r}')
        types = [OIDS[w] for w in words]
        if len(types) != count:
            fail(path, line, f'{name}: {len(types)} parameter types for {count} parameters')
    lock = int(options.get('lock') or 0)
    if lock > count:
        fail(path, line, f'{name}: lock parameter ${lock} does not exist')
    return {'name': name, 'sql': sql, 'count': count, 'types': types, 'lock': lock, 'where': f'{path}:{line}'}


def read_queries(paths):
    found = {}
    for path in paths:
        text = open(path, encoding='utf-8').read()
        marks = list(re.finditer(r'^--[ \t]*name:[ \t]*(\S+)[ \t]*\n', text, re.M))
        for i, mark in enumerate(marks):
            end = marks[i + 1].start() if i + 1 < len(marks) else len(text)
            line = text.count('\n', 0, mark.start()) + 1
            s = statement(path, line, mark.group(1), text[mark.end():end])
            if s['name'] in found:
                fail(path, line, f"{s['name']} is also in {found[s['name']]['where']}")
            found[s['name']] = s
    return [found[name] for name in sorted(found)]


def read_migrations(paths):
    scripts = []
    for path in paths:
        match = re.fullmatch(r'([0-9]{4})-([a-z0-9-]+)\.sql', os.path.basename(path))
        if not match:
            fail(path, 1, 'a migration is called NNNN-name.sql')
        text = open(path, encoding='utf-8').read()
        if re.search(r'^\s*(begin|commit|rollback)\s*;', bare(text), re.I | re.M):
            fail(path, 1, 'transaction control in a migration: each runs in one transaction of its own')
        version = int(match.group(1))
        oldest = re.search(r'^--[ \t]*oldest-program:[ \t]*([0-9]+)', text, re.M)
        scripts.append((version, match.group(2), int(oldest.group(1)) if oldest else version, text))
    versions = [s[0] for s in scripts]
    if versions != list(range(1, len(versions) + 1)):
        sys.exit(f'migrations are not numbered 0001, 0002, …: {versions}')
    return scripts


def write(path, text):
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


def header(statements, schema):
    lines = ['/* Generated by sql/embed.py from sql/queries: the closed list of SQL statements. */',
             '#ifndef SQL_DB_STMTS_H', '#define SQL_DB_STMTS_H', '',
             f'/* The newest migration that this build knows. */', f'#define DB_SCHEMA_VERSION {schema}', '',
             'enum db_stmt_id {']
    for s in statements:
        lines.append(f"  DB_STMT_{s['name'].upper()}, /* {s['count']} parameters */")
    lines += ['  DB_STMT_COUNT,', '};', '', '#endif', '']
    return '\n'.join(lines)


def source(statements, migrations, functions, grants):
    out = ['/* Generated by sql/embed.py. */', '#include "core/db_stmt.h"', '']
    for s in statements:
        if s['types']:
            out.append(f"static const unsigned types_{s['name']}[] = {{ {', '.join(map(str, s['types']))} }};")
    out += ['', 'const struct db_stmt db_stmts[] = {']
    for s in statements:
        types = f"types_{s['name']}" if s['types'] else '0'
        out.append(f"  {{ \"{s['name']}\", {s['count']}, {types}, {s['lock']},\n{c_string(s['sql'])} }},")
    out += ['  { 0, 0, 0, 0, 0 }', '};', '', 'const struct db_script db_migrations[] = {']
    for version, name, oldest, text in migrations:
        out.append(f'  {{ {version}, {oldest}, "{name}",\n{c_string(text)} }},')
    out += ['  { 0, 0, 0, 0 }', '};', '', 'const struct db_script db_routines[] = {']
    for path in functions + grants:
        name = os.path.splitext(os.path.basename(path))[0]
        out.append(f"  {{ 0, 0, \"{name}\",\n{c_string(open(path, encoding='utf-8').read())} }},")
    out += ['  { 0, 0, 0, 0 }', '};', '']
    return '\n'.join(out)


def listing(directory):
    if not os.path.isdir(directory):
        return []
    return sorted(os.path.join(directory, f) for f in os.listdir(directory) if f.endswith('.sql'))


def main():
    root, out_h, out_c, depfile = sys.argv[1:]
    folders = [os.path.join(root, d) for d in ('queries', 'migrations', 'functions')]
    queries, migrations, functions = map(listing, folders)
    grants = [p for p in [os.path.join(root, 'grants.sql')] if os.path.exists(p)]
    statements, scripts = read_queries(queries), read_migrations(migrations)
    write(out_h, header(statements, len(scripts)))
    write(out_c, source(statements, scripts, functions, grants))
    # A directory among the dependencies: ninja notices a new file by its time.
    depends = [root] + [f for f in folders if os.path.isdir(f)] + queries + migrations + functions + grants
    write(depfile, f"{out_h} {out_c}: {' '.join(depends)}\n")


if __name__ == '__main__':
    main()
