-- Has wrk ask one host after the other, and each of its paths: wrk -s hosts.lua URL -- HOSTS PATH…
local requests, last = {}, 0

function init(arguments)
  for index = 0, tonumber(arguments[1]) - 1 do
    local host = index == 0 and "localhost" or "host" .. index .. ".example.com"
    for path = 2, #arguments do
      table.insert(requests, wrk.format("GET", arguments[path], { Host = host }))
    end
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end
