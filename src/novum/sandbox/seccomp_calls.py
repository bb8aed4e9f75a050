"""The system calls that a candidate may not make, or makes without effect: names, numbers, and why.

Name: number on x86-64 and on aarch64; -1 where the architecture has no such call.
"""

from __future__ import annotations

DENIED = {
    # Memory that no limit counts, other processes, namespaces, mounts, clocks, tracing: nothing an experiment needs.
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "semget": (64, 190),
    "msgget": (68, 186), "mq_open": (240, 180), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "process_madvise": (440, 440), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "bpf": (321, 280), "unshare": (272, 97),
    "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "open_tree_attr": (467, 467),
    "userfaultfd": (323, 282), "perf_event_open": (298, 241), "personality": (135, 92), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "swapon": (167, 224), "swapoff": (168, 225), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "clock_settime": (227, 112), "settimeofday": (164, 170), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "reboot": (169, 142), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "syslog": (103, 116), "lookup_dcookie": (212, 18), "fanotify_init": (300, 262), "sethostname": (170, 161),
    "setdomainname": (171, 162), "iopl": (172, -1), "ioperm": (173, -1), "modify_ldt": (154, -1),
    "uselib": (134, -1), "vhangup": (153, 58), "migrate_pages": (256, 238), "move_pages": (279, 239),
    "nfsservctl": (180, 42),
}  # fmt: skip

# As on a kernel without them, so that libraries take another way.
ABSENT = {
    # Ring buffers out of a pool of the whole machine (fs.aio-max-nr).
    "io_setup": (206, 0), "io_destroy": (207, 1), "io_submit": (209, 2), "io_cancel": (210, 3),
    "io_getevents": (208, 4), "io_pgetevents": (333, 292),
    # Instances out of a small pool of the user's own programs, and news of what others do with system files.
    "inotify_init": (253, -1), "inotify_init1": (294, 26),
    # Pages in pipes belong to nobody's memory.
    "splice": (275, 76), "tee": (276, 77), "vmsplice": (278, 75),
    # Which pages of a system file are in memory: a slate on which one trial could write to the next.
    "mincore": (27, 232), "cachestat": (451, 451),
}  # fmt: skip
# Answered with success and not done. What a candidate writes ends with it and need not reach a disk, while a loop of
# these slows the commits of everybody else; advice on caches is advice, and its effect would outlast the trial.
WITHOUT_EFFECT = {
    "sync": (162, 81), "syncfs": (306, 267), "fsync": (74, 82), "fdatasync": (75, 83), "sync_file_range": (277, 84),
    "fadvise64": (221, 223), "readahead": (187, 213),
}  # fmt: skip
# In addition for the tier without namespaces.
STRICT = {
    "socket": (41, 198), "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, -1), "fchown": (93, 55), "lchown": (94, -1), "fchownat": (260, 54), "utime": (132, -1),
    "utimes": (235, -1), "futimesat": (261, -1), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "setxattrat": (463, 463), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "removexattrat": (466, 466), "file_setattr": (469, 469),
}  # fmt: skip
# In addition where that tier has GPUs: NVIDIA's user-space driver fails unless it can bind a Unix socket and listen on
# it, so sockets of that family are made, and nothing can be reached by them, nor reach them.
STRICT_WITH_GPUS = {"connect": (42, 203), "accept": (43, 202), "accept4": (288, 242)}
# Calls that change another process of the same user: the argument that names it must be 0, oneself.
OWN_ONLY = {
    "setpriority": ((141, 140), 1), "sched_setaffinity": ((203, 122), 0),
    "sched_setscheduler": ((144, 119), 0), "sched_setparam": ((142, 118), 0), "sched_setattr": ((314, 274), 0),
    "ioprio_set": ((251, 30), 1),
}  # fmt: skip
