-- Plays NLVC files in a stock mpv: mpv --script=nlvc.lua out.mkv
--
-- The stock ffmpeg copies the file's packets from the wanted time on, `python -m pynlvc decode` turns them into raw video,
-- and mpv reads that from a pipe, with the sound beside it. Such a pipe cannot be seeked: the seek keys are taken over
-- while an NLVC file plays, and start the feed again from the keyframe before the new place. Another script or a remote
-- control seeks with: script-message nlvc-seek SECONDS
--
-- NLVC_PYTHON names the interpreter of an environment that has pynlvc (otherwise: python3).

local utils = require("mp.utils")

local HEAD_BYTES = 65536 -- of a file, within which containers name their codecs
local SEEK_KEYS = {
    { "RIGHT", 5 }, { "LEFT", -5 }, { "UP", 60 }, { "DOWN", -60 }, { "Shift+RIGHT", 1 }, { "Shift+LEFT", -1 },
}
local FEED = [[
ffmpeg -nostdin -v error -copyts -ss "$2" -i "$1" -map 0:v:0 -map '0:a?' -c copy -f nut - |
"$3" -m pynlvc decode - > "$4"
]]

local playing -- path of the NLVC file that is played, or nil
local next_start -- seconds from which to feed it, or nil
local feed -- the running command that feeds the pipe
local pipe -- its path

local function is_nlvc(path)
    local file = io.open(path, "rb")
    if not file then
        return false
    end
    local head = file:read(HEAD_BYTES) or ""
    file:close()
    return head:find("NLVC", 1, true) ~= nil
end

local function end_feed()
    if feed then
        mp.abort_async_command(feed)
        feed = nil
    end
    if pipe then
        os.remove(pipe)
        pipe = nil
    end
end

local function start_feed(path, seconds)
    end_feed()
    pipe = os.tmpname()
    os.remove(pipe)
    local made = mp.command_native({ name = "subprocess", playback_only = false, args = { "mkfifo", pipe } })
    if made.status ~= 0 then
        mp.msg.error("cannot make the pipe " .. pipe)
        return
    end
    local python = os.getenv("NLVC_PYTHON") or "python3"
    feed = mp.command_native_async({
        name = "subprocess",
        playback_only = false,
        args = { "sh", "-c", FEED, "sh", path, tostring(seconds), python, pipe },
    }, function() end)
    mp.set_property("stream-open-filename", pipe)
    mp.set_property("file-local-options/rebase-start-time", "no")
    mp.set_property("file-local-options/demuxer-lavf-format", "nut")
    mp.set_property("file-local-options/force-media-title", path)
end

local function seek_to(seconds)
    if playing then
        next_start = math.max(0, seconds)
        mp.commandv("loadfile", playing, "replace")
    end
end

local function seek_by(seconds)
    seek_to((mp.get_property_number("time-pos") or 0) + seconds)
end

mp.add_hook("on_load", 50, function()
    local path = mp.get_property("stream-open-filename", "")
    if not is_nlvc(path) then
        playing, next_start = nil, nil
        return
    end
    playing = path
    start_feed(path, next_start or 0)
    next_start = nil
end)

mp.register_event("file-loaded", function()
    for _, key in ipairs(SEEK_KEYS) do
        if playing then
            mp.add_forced_key_binding(key[1], "nlvc-" .. key[1], function() seek_by(key[2]) end, { repeatable = true })
        else
            mp.remove_key_binding("nlvc-" .. key[1])
        end
    end
end)

mp.register_event("shutdown", end_feed)
mp.register_script_message("nlvc-seek", function(seconds) seek_to(tonumber(seconds)) end)
