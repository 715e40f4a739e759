// What a user program may call. Each system call has a stub in usys.S,
// which usys.pl writes.

struct stat;

// system calls
int fork(void);
int exit(int status) __attribute__((noreturn));
int wait(int *status);
int pipe(int fds[2]);
int read(int fd, void *buf, int n);
int write(int fd, const void *buf, int n);
int close(int fd);
int kill(int pid);
int exec(const char *path, char **argv);
int open(const char *path, int flags);
int mknod(const char *path, short major, short minor);
int unlink(const char *path);
int fstat(int fd, struct stat *st);
int link(const char *from, const char *to);
int mkdir(const char *path);
int chdir(const char *path);
int dup(int fd);
int getpid(void);
char *sbrk(int n);
int sleep(int ticks);
int uptime(void);
uint64 mmap4(uint64 len, int prot, int flags, int id);
int munmap(uint64 addr);

// C has one mmap() only. Task 1's takes no argument; a program of task 2
// defines MMAP_REGIONS before it includes this file, and gets the other.
#ifdef MMAP_REGIONS
#define mmap(len, prot, flags, id) mmap4(len, prot, flags, id)
#else
uint64 mmap(void);
#endif

// ulib.c
int stat(const char *path, struct stat *st);
char *strcpy(char *to, const char *from);
void *memmove(void *to, const void *from, int n);
void *memcpy(void *to, const void *from, uint n);
char *strchr(const char *s, char c);
int strcmp(const char *a, const char *b);
uint strlen(const char *s);
void *memset(void *at, int c, uint n);
int memcmp(const void *a, const void *b, uint n);
int atoi(const char *s);
char *gets(char *buf, int max);

// printf.c
void fprintf(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// umalloc.c
void *malloc(uint n);
void free(void *p);
