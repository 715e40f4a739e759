// grep pattern [file ...]: prints the lines that hold a match. In a pattern
// . is any character, x* any number of x, ^ the line's beginning, $ its end.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

static int match_here(const char *re, const char *text);

// As few repetitions first as lead to a match.
static int
match_star(char c, const char *re, const char *text)
{
  for(;;){
    if(match_here(re, text))
      return 1;
    if(*text == 0 || (c != '.' && *text != c))
      return 0;
    text++;
  }
}

static int
match_here(const char *re, const char *text)
{
  if(re[0] == 0)
    return 1;
  if(re[1] == '*')
    return match_star(re[0], re + 2, text);
  if(re[0] == '$' && re[1] == 0)
    return *text == 0;
  if(*text == 0 || (re[0] != '.' && re[0] != *text))
    return 0;
  return match_here(re + 1, text + 1);
}

static int
match(const char *re, const char *text)
{
  if(re[0] == '^')
    return match_here(re + 1, text);
  for(;; text++){
    if(match_here(re, text))
      return 1;
    if(*text == 0)
      return 0;
  }
}

enum { MAXLINE = 1024 };

static struct {
  int fd;
  int at, end;  // what is left in buf
  char buf[512];
} in;

// The next character of the file, or -1 at its end.
static int
next_char(void)
{
  if(in.at == in.end){
    in.at = 0;
    in.end = read(in.fd, in.buf, sizeof(in.buf));
    if(in.end <= 0){
      in.end = 0;
      return -1;
    }
  }
  return (uchar)in.buf[in.at++];
}

// Reads one line, without its newline. What does not fit is dropped.
// Returns the length that was kept, or -1 at the end of the file.
static int
read_line(char *line)
{
  int n = 0, c;

  while((c = next_char()) >= 0 && c != '\n'){
    if(n < MAXLINE - 1)
      line[n++] = c;
  }
  line[n] = 0;
  return c < 0 && n == 0 ? -1 : n;
}

static void
grep(const char *pattern, int fd)
{
  static char line[MAXLINE + 1];
  int n;

  in.fd = fd;
  in.at = in.end = 0;
  while((n = read_line(line)) >= 0){
    if(!match(pattern, line))
      continue;
    line[n] = '\n';
    write(1, line, n + 1);
  }
}

int
main(int argc, char **argv)
{
  if(argc < 2){
    fprintf(2, "usage: grep pattern [file...]\n");
    exit(1);
  }
  if(argc == 2)
    grep(argv[1], 0);
  for(int i = 2; i < argc; i++){
    int fd = open(argv[i], O_RDONLY);
    if(fd < 0){
      fprintf(2, "grep: cannot open %s\n", argv[i]);
      exit(1);
    }
    grep(argv[1], fd);
    close(fd);
  }
  exit(0);
}
