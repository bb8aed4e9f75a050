"""Programs that do what ordinary programs do, as source: each raises where the system lacks something."""

EVERYWHERE = {
    "getuser": "import getpass; assert getpass.getuser() == 'novum'",
    "home": "import os\nhome = os.path.expanduser('~')\nassert os.path.isdir(home)\n"
    "open(os.path.join(home, '.config-of-mine'), 'w').write('x')",
    "cache directory": "import os, pathlib\n(pathlib.Path.home() / '.cache' / 'x').mkdir(parents=True)",
    "localhost": "import socket\n"
    "assert '127.0.0.1' in {one[4][0] for one in socket.getaddrinfo('localhost', 80)}\n"
    "assert socket.gethostbyname('localhost') == '127.0.0.1'",
    "named service": "import socket; assert socket.getaddrinfo('localhost', 'http')[0][4][1] == 80",
    "protocol": "import socket; assert socket.getprotobyname('tcp') == 6",
    "temporary files": "import os, tempfile\n"
    "with tempfile.NamedTemporaryFile() as file: file.write(b'x'); file.flush(); os.fsync(file.fileno())\n"
    "with tempfile.TemporaryDirectory() as folder: open(folder + '/x', 'w')\n"
    "assert os.path.isdir(tempfile.gettempdir())",
    "locale": "import locale\nlocale.setlocale(locale.LC_ALL, '')\nassert locale.getpreferredencoding() == 'UTF-8'\n"
    "assert locale.localeconv()['decimal_point'] == '.'",
    "time": "import time, zoneinfo\ntime.localtime(); zoneinfo.ZoneInfo('UTC')",
    "outputs by name": "import os\nopen('/dev/stdout', 'w').close(); open('/dev/stderr', 'w').close()",
    "cores": "import os\nassert os.cpu_count() >= 1 and os.sched_getaffinity(0)",
    "platform": "import platform\nplatform.freedesktop_os_release(); platform.platform(); platform.node()",
    "child processes": "import subprocess, sys\n"
    "assert subprocess.run(['sh', '-c', 'echo $HOME | wc -l'], capture_output=True).stdout.strip() == b'1'",
    "alternatives": "import os, shutil, subprocess\nif os.path.islink('/usr/bin/awk'):\n"
    "    assert subprocess.run(['awk', 'BEGIN { print 7 }'], capture_output=True).stdout == b'7\\n'",
    "event loop": "import asyncio\nasyncio.run(asyncio.sleep(0))",
    "locks of files": "import fcntl\nwith open('lock', 'w') as file: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
    "with open('lock', 'w') as file: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)",
    "database": "import sqlite3\nwith sqlite3.connect('x.db') as base: base.execute('create table t (a)')",
}
# Without a file system of one's own there is no table of users and no shared memory, without a network no socket.
NAMESPACES_ONLY = {
    "pools": "import multiprocessing as m\n"
    "with m.get_context('fork').Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]",
    "own user": "import getpass, os, pwd\nme = pwd.getpwuid(os.getuid())\n"
    "assert me.pw_name == getpass.getuser() and os.path.samefile(me.pw_dir, os.path.expanduser('~'))\n"
    "assert os.path.exists(me.pw_shell)",
    "own group": "import grp, os; assert grp.getgrgid(os.getgid()).gr_name",
    "home by name": "import getpass, os; assert os.path.isdir(os.path.expanduser('~' + getpass.getuser()))",
    "owner of a file": "import pathlib; pathlib.Path('mine').touch(); assert pathlib.Path('mine').owner() == 'novum'",
    "local server": "import socket\nwith socket.create_server(('localhost', 0)) as server:\n"
    "    with socket.create_connection(server.getsockname(), 2): server.accept()[0].close()",
    "copying": "import shutil; open('a', 'w').write('x'); shutil.copy2('a', 'b')",
}
