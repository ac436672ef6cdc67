#include "c_api/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace nlvc {
namespace {

constexpr auto kMoment = std::chrono::milliseconds(10);
constexpr int kMoments = 200;  ///< to leave in

std::string describe(int status) {
    if (WIFSIGNALED(status)) return "it was ended by signal " + std::to_string(WTERMSIG(status));
    return "it ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, int seconds) : seconds_(seconds) {
    int ends[2];
    // A socket instead of two pipes: sending to a dead peer can be told not to raise SIGPIPE in the host.
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        throw std::runtime_error(std::string("cannot make a socket pair: ") + std::strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults, none;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const int error = posix_spawnp(&process_, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(ends[1]);
    socket_ = ends[0];
    if (error != 0) {
        process_ = -1;
        close_pipe();
        throw std::runtime_error("cannot start " + command[0] + ": " + std::strerror(error));
    }
}

ChildProcess::~ChildProcess() {
    close_pipe();
    if (process_ < 0) return;
    for (int i = 0; i < kMoments; ++i) {
        if (waitpid(process_, nullptr, WNOHANG) != 0) return;  // gone, or waited for by the host
        std::this_thread::sleep_for(kMoment);
    }
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
}

void ChildProcess::close_pipe() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
}

void ChildProcess::fail(const std::string& what) {
    close_pipe();
    std::string why;
    if (process_ >= 0) {
        int status = 0;
        // One that has lost its pipes is of no use any more.
        for (int i = 0; i < kMoments && why.empty(); ++i) {
            const pid_t done = waitpid(process_, &status, WNOHANG);
            if (done == process_) why = ": " + describe(status);
            if (done < 0) why = ": it is gone";
            if (done == 0) std::this_thread::sleep_for(kMoment);
        }
        if (why.empty()) {
            kill(process_, SIGKILL);
            waitpid(process_, nullptr, 0);
            why = ": it was killed";
        }
        process_ = -1;
    }
    throw std::runtime_error("the Python process " + what + why + " (its own messages are on standard error)");
}

void ChildProcess::wait_ready(short events) {
    if (socket_ < 0) throw std::runtime_error("the Python process ended in an earlier call: open the codec again");
    pollfd poll_socket{socket_, events, 0};
    int ready;
    do ready = poll(&poll_socket, 1, seconds_ * 1000);
    while (ready < 0 && errno == EINTR);
    if (ready == 0) {
        kill(process_, SIGKILL);
        fail("gave no answer for " + std::to_string(seconds_) + " s");
    }
}

void ChildProcess::write(ByteView bytes) {
    while (bytes.size > 0) {
        wait_ready(POLLOUT);
        const ssize_t sent = send(socket_, bytes.data, bytes.size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (sent < 0) fail("takes no more requests");
        bytes = {bytes.data + sent, bytes.size - static_cast<size_t>(sent)};
    }
}

void ChildProcess::read(uint8_t* to, size_t size) {
    while (size > 0) {
        wait_ready(POLLIN);
        const ssize_t got = recv(socket_, to, size, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got <= 0) fail("left in the middle of a call");
        to += got;
        size -= static_cast<size_t>(got);
    }
}

}  // namespace nlvc
