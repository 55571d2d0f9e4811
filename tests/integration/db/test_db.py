"""The database layer against a private PostgreSQL, which the tests also kill."""
import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from tests.lib.wait import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get('UMP_BUILD', ROOT / 'build'))
pytestmark = [pytest.mark.sanitize, pytest.mark.threads]
HERE = BUILD / 'tests' / 'integration' / 'db'
PG_BIN = sorted(pathlib.Path('/usr/lib/postgresql').glob('*/bin'))[-1]


class Postgres:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='ump-db.'))
        self.dir.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(self.dir, 'postgres', 'postgres')
        self.uri = f'host={self.dir} user=postgres dbname=postgres'
        self.env = dict(os.environ, DB_TEST_URI=self.uri, G_DEBUG='fatal-criticals', G_SLICE='always-malloc')
        self.run('initdb', '-D', self.dir / 'data', '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C',
                 '--no-sync')
        with open(self.dir / 'data' / 'postgresql.conf', 'a') as conf:
            conf.write(f"listen_addresses = ''\nunix_socket_directories = '{self.dir}'\nmax_connections = 100\n"
                       f"deadlock_timeout = 50ms\nlog_min_messages = panic\n")
        self.start()

    def command(self, name, *args):
        prefix = ['setpriv', '--reuid', 'postgres', '--regid', 'postgres', '--clear-groups'] if os.geteuid() == 0 else []
        return prefix + [str(PG_BIN / name)] + [str(a) for a in args]

    def run(self, name, *args):
        subprocess.run(self.command(name, *args), check=True, cwd='/', stdout=subprocess.DEVNULL,
                       env=dict(os.environ, HOME='/tmp'))

    def start(self):
        self.run('pg_ctl', '-D', self.dir / 'data', '-l', self.dir / 'data' / 'log', '-w', '-t', '60', 'start')

    def kill(self):
        """SIGKILL of the postmaster; its children notice and leave."""
        pid = int((self.dir / 'data' / 'postmaster.pid').read_text().split()[0])
        os.kill(pid, signal.SIGSTOP)  # no child of it is born while they are counted
        children = subprocess.run(['pgrep', '-P', str(pid)], stdout=subprocess.PIPE, text=True).stdout.split()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(pathlib.Path(f'/proc/{process}').exists() for process in (pid, *children)), 'PostgreSQL to be gone')

    def sql(self, text):
        return subprocess.run(self.command('psql', '-h', self.dir, '-U', 'postgres', '-Atc', text), check=True, cwd='/',
                              stdout=subprocess.PIPE, text=True).stdout.strip()

    def close(self):
        subprocess.run(self.command('pg_ctl', '-D', self.dir / 'data', '-m', 'immediate', '-w', 'stop'), cwd='/',
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(self.dir, ignore_errors=True)


def assert_clean(output):
    assert 'Sanitizer' not in output and 'runtime error' not in output, output[-6000:]


@pytest.fixture(scope='module')
def postgres():
    server = Postgres()
    subprocess.run([HERE / 'db_test', 'test_types'], env=server.env, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)  # creates the tables
    yield server
    server.close()


def test_rules_of_the_group_commit(postgres):
    done = subprocess.run([HERE / 'db_test'], env=postgres.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-6000:]
    assert_clean(done.stdout)


def test_server_killed_under_load(postgres):
    """Every acknowledged row is there, exactly once, and nobody waited in vain."""
    load = subprocess.Popen([HERE / 'db_load', 'put', 'kill', '16', '2500'], env=postgres.env, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    acknowledged = []
    for i, line in enumerate(load.stdout):
        acknowledged.append(line.strip())
        if i in (3000, 12000, 25000):
            postgres.kill()
            postgres.start()
    err = load.stderr.read()
    assert load.wait(120) == 0, err[-2000:]
    assert_clean(err)
    assert len(acknowledged) == 16 * 2500
    assert not [i for i, n in collections.Counter(acknowledged).items() if n > 1]
    assert set(postgres.sql("SELECT id FROM t WHERE id LIKE 'kill-%'").split()) == set(acknowledged)


def test_two_writers_on_hot_rows(postgres):
    """Sorted batches: no deadlock, and not slower than a commit for each."""
    before = int(postgres.sql('SELECT sum(n) FROM hot'))
    loads = [subprocess.Popen([HERE / 'db_load', 'hot', f'hot{i}', '32', '300'], env=postgres.env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for i in range(2)]
    for load in loads:
        out, err = load.communicate(timeout=120)
        assert load.returncode == 0, err[-2000:]
        assert_clean(err)
        assert int(re.search(r'retries=(\d+)', err).group(1)) == 0, err
    assert int(postgres.sql('SELECT sum(n) FROM hot')) - before == 2 * 32 * 300


def schema(postgres, what, database):
    uri = postgres.uri.replace('dbname=postgres', f'dbname={database}')
    done = subprocess.run([HERE / 'db_schema', what], env=dict(postgres.env, DB_TEST_URI=uri), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.returncode, done.stdout


def test_schema_versions(postgres):
    """Refused until it is migrated; migrated by two at once; an unknown version is refused by name."""
    postgres.sql('CREATE DATABASE product')
    uri = postgres.uri.replace('dbname=postgres', 'dbname=product')
    status, text = schema(postgres, 'check', 'product')
    assert status == 1 and 'run "umpctl migrate"' in text
    both = [subprocess.Popen([HERE / 'db_schema', 'migrate'], env=dict(postgres.env, DB_TEST_URI=uri),
                             stdout=subprocess.PIPE, text=True) for _ in range(2)]
    texts = [p.communicate(timeout=120)[0] for p in both]
    assert [p.returncode for p in both] == [0, 0], texts
    assert sum('migration 1 ' in text for text in texts) == 1
    assert schema(postgres, 'check', 'product') == (0, '')
    status, text = schema(postgres, 'prepare', 'product')
    assert status == 0, text
    psql = postgres.command('psql', '-h', postgres.dir, '-U', 'postgres', '-d', 'product', '-qc')
    subprocess.run(psql + ["INSERT INTO ump.schema_version VALUES (9000, 1, 'compatible')"], check=True, cwd='/')
    assert schema(postgres, 'check', 'product') == (0, '')
    status, text = schema(postgres, 'migrate', 'product')
    assert status == 1 and 'version 9000' in text
    subprocess.run(psql + ['UPDATE ump.schema_version SET oldest_program = 9000 WHERE version = 9000'], check=True,
                   cwd='/')
    status, text = schema(postgres, 'check', 'product')
    assert status == 1 and 'upgrade' in text
